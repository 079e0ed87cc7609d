/** Keywords, strings and comments of a few languages, for reading; not a parser. */

export type Kind = 'keyword' | 'string' | 'comment' | null;

export interface Token {
  readonly text: string;
  readonly kind: Kind;
}

const PYTHON =
  'and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None nonlocal not or pass raise return True try while with yield match case print';
const SCRIPT =
  'async await break case catch class const continue default delete do else export extends false finally for from function if import in instanceof interface let new null of return static super switch this throw true try type typeof undefined var void while yield';
const SHELL = 'if then else elif fi for in do done while case esac function return export local cd echo sudo set unset source';
const SQL =
  'select from where and or not in is null as join left right inner outer on group by order limit having union all distinct insert into values update set delete create table drop alter with case when then else end';

interface Language {
  readonly words: ReadonlySet<string>;
  readonly comment: string;
  readonly anyCase?: boolean;
}

const python: Language = { words: new Set(PYTHON.split(' ')), comment: '#[^\\n]*' };
const script: Language = { words: new Set(SCRIPT.split(' ')), comment: '//[^\\n]*|/\\*[\\s\\S]*?\\*/' };
const shell: Language = { words: new Set(SHELL.split(' ')), comment: '(?<=^|\\s)#[^\\n]*' };
const sql: Language = { words: new Set(SQL.split(' ')), comment: '--[^\\n]*', anyCase: true };
const json: Language = { words: new Set(['true', 'false', 'null']), comment: '(?!)' };
const LANGUAGES: Readonly<Record<string, Language>> = {
  python, py: python, python3: python, ipython: python,
  javascript: script, js: script, typescript: script, ts: script, jsx: script, tsx: script, java: script, c: script, cpp: script, go: script, rust: script,
  bash: shell, sh: shell, shell, zsh: shell, console: shell,
  sql, json
};

const STRINGS = '"""[\\s\\S]*?"""|\'\'\'[\\s\\S]*?\'\'\'|"(?:\\\\.|[^"\\\\\\n])*"|\'(?:\\\\.|[^\'\\\\\\n])*\'|`(?:\\\\.|[^`\\\\])*`';

/** The code cut into tokens; all of it plain when the language is not known. */
export function highlight(code: string, language: string): Token[] {
  const rules = LANGUAGES[language.toLowerCase()];
  if (!rules) return [{ text: code, kind: null }];
  const out: Token[] = [];
  const put = (text: string, kind: Kind): void => {
    const last = out[out.length - 1];
    if (last && last.kind === kind) out[out.length - 1] = { text: last.text + text, kind };
    else if (text) out.push({ text, kind });
  };
  const pattern = new RegExp(`(${rules.comment})|(${STRINGS})|([A-Za-z_][A-Za-z0-9_]*)`, 'gm');
  let at = 0;
  for (const match of code.matchAll(pattern)) {
    put(code.slice(at, match.index), null);
    at = match.index + match[0].length;
    const word = rules.anyCase ? match[0].toLowerCase() : match[0];
    put(match[0], match[1] !== undefined ? 'comment' : match[2] !== undefined ? 'string' : rules.words.has(word) ? 'keyword' : null);
  }
  put(code.slice(at), null);
  return out;
}
