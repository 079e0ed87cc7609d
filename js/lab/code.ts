/** The code that uses what the sidebar shows. */
import type { Job, LocalModel } from './types';

const IMPORT = 'import workbench as wb';

/** A text as Python writes it. */
export const quoted = (text: string): string => {
  const body = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return body.includes("'") && !body.includes('"') ? `"${body}"` : `'${body.replace(/'/g, "\\'")}'`;
};

export function jobCode(job: Job): string {
  return `${IMPORT}\n\njob = wb.job(${quoted(job.id)})\njob.monitor()`;
}

/** Whether a deployment serves a function of the user's and no model. */
export const isFunction = (job: Job): boolean => job.backend === 'function';

/** The line that joins the deployment (`workbench/runtime/deployments/deploy_code.py`), and a use of it; models by the names that people know. */
export function deploymentCode(job: Job, models: readonly LocalModel[], use = ''): string {
  if (isFunction(job)) return `${IMPORT}\n\ns = ${job.code}\ns`;
  const name = models.find(model => model.path === job.model)?.name;
  const made = (model: string): string => `wb.TrainableModule(${quoted(model)}`;
  const line = name === undefined ? job.code : job.code.replace(made(job.model), () => made(name));
  return `${IMPORT}\n\nm = ${line}\n${job.call || use || "m('Hello')"}`;
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
