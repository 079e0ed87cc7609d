/** The code that uses what the sidebar shows. */
import type { Job, LocalModel } from './types';

const IMPORT = 'import workbench as wb';

/** A text or a plain value as Python writes it; null where it has no short form. */
export function python(value: unknown): string | null {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) {
    const parts = value.map(python);
    return parts.includes(null) ? null : `[${parts.join(', ')}]`;
  }
  return null;
}

const quoted = (text: string): string => {
  const body = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return body.includes("'") && !body.includes('"') ? `"${body}"` : `'${body.replace(/'/g, "\\'")}'`;
};

export function jobCode(job: Job): string {
  return `${IMPORT}\n\njob = wb.job(${quoted(job.id)})\njob.monitor()`;
}

/** Whether a deployment serves a function of the user's and no model. */
export const isFunction = (job: Job): boolean => job.backend === 'function';

/** A module that joins the deployment: the same model, engine and arguments are one; a served function is called where it runs. */
export function deploymentCode(job: Job, models: readonly LocalModel[], use = ''): string {
  if (isFunction(job)) return `${IMPORT}\n\ns = wb.UrlModule(url=${quoted(job.id)})\ns`;
  const name = models.find(model => model.path === job.model)?.name ?? job.model;
  const given = Object.entries(job.arguments).flatMap(([key, value]) => {
    const text = python(value);
    return text === null ? [] : [`, ${key}=${text}`];
  });
  const module = `m = wb.TrainableModule(${quoted(name)}).deploy_method(wb.deploy.${job.backend}${given.join('')}).start()`;
  return `${IMPORT}\n\n${module}\n${job.call || use || "m('Hello')"}`;
}

export function modelCode(model: LocalModel, use = ''): string {
  return `${IMPORT}\n\nm = wb.TrainableModule(${quoted(model.name)}).start()\n${model.call || use || "m('Hello')"}`;
}

export const FINETUNE_CODE = `${IMPORT}

t = (wb.TrainableModule('pocket', 'my-first')
       .finetune_method(wb.finetune.llamafactory)
       .trainset(wb.pocket.train_file())
       .mode('finetune'))
t.update()`;

export const DEPLOY_CODE = `${IMPORT}\n\nm = wb.TrainableModule('pocket').start()\nm.chat()`;
