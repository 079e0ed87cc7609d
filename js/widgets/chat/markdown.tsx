/** @jsx h */
/** @jsxFrag Fragment */
/**
 * Markdown as elements. What a model writes is never put into the page as HTML: marked cuts it into tokens, and only the
 * elements below are made of them, so there is nothing to sanitise. Raw HTML shows as the text it is; links lead only to
 * http, https and mailto; pictures are links, because a picture's address would tell that it was read.
 */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { lexer } from 'marked';
import type { Token, Tokens } from 'marked';
import * as icons from '../../common/icons';
import { Button } from '../../common/parts/button';
import { Copy } from '../../common/parts/copy';
import { highlight } from './highlight';

export interface MarkdownWords {
  readonly copy: string;
  readonly copied: string;
  readonly newCell: string;
}

export interface MarkdownProps {
  readonly text: string;
  readonly words: MarkdownWords;
  /** Puts code into a new cell, where the page can. */
  readonly insert: ((code: string) => void) | null;
  /** Shown after the last word, while more is to come. */
  readonly caret?: boolean;
}

const SAFE = /^(https?:|mailto:)/i;
const CLASSES = { keyword: 'tk', string: 'ts', comment: 'tc' } as const;

function unescape(text: string): string {
  const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => names[name] ?? '');
}

function Code({ code, language, words, insert }: { code: string; language: string } & Pick<MarkdownProps, 'words' | 'insert'>): VNode {
  return (
    <div class="code">
      <header>
        {language || ' '}
        <span class="wb-push" />
        {insert && (
          <Button class="ghost s quiet" icon={icons.add} onClick={() => insert(code)}>
            {words.newCell}
          </Button>
        )}
        <Copy class="ghost s quiet" text={code} label={words.copy} done={words.copied}>
          {words.copy}
        </Copy>
      </header>
      <pre tabIndex={0}>
        {highlight(code, language).map((token, i) => (token.kind ? <span key={i} class={CLASSES[token.kind]}>{token.text}</span> : token.text))}
      </pre>
    </div>
  );
}

export function Markdown({ text, words, insert, caret = false }: MarkdownProps): VNode {
  const mark = caret ? <span class="caret" /> : null;

  const inline = (tokens: readonly Token[] | undefined, fallback = ''): ComponentChildren =>
    tokens ? tokens.map((token, i) => <Fragment key={i}>{inlineOne(token)}</Fragment>) : unescape(fallback);

  const inlineOne = (token: Token): ComponentChildren => {
    switch (token.type) {
      case 'strong':
        return <strong>{inline(token.tokens)}</strong>;
      case 'em':
        return <em>{inline(token.tokens)}</em>;
      case 'del':
        return <s>{inline(token.tokens)}</s>;
      case 'codespan':
        return <code>{unescape((token as Tokens.Codespan).text)}</code>;
      case 'br':
        return <br />;
      case 'link':
      case 'image': {
        const { href, text: label } = token as Tokens.Link;
        const shown = token.type === 'link' ? inline(token.tokens) : label || href;
        return SAFE.test(href) ? (
          <a href={href} target="_blank" rel="noopener noreferrer nofollow">
            {shown}
          </a>
        ) : (
          <>{shown}</>
        );
      }
      case 'escape':
        return (token as Tokens.Escape).text;
      case 'checkbox':
        return (token as Tokens.Checkbox).checked ? '☑ ' : '☐ ';
      case 'text':
        return 'tokens' in token && token.tokens ? inline(token.tokens) : unescape((token as Tokens.Text).text);
      default:
        return token.raw;
    }
  };

  const block = (token: Token, end: ComponentChildren): ComponentChildren => {
    switch (token.type) {
      case 'space':
      case 'def':
        return null;
      case 'paragraph':
      case 'text':
        return (
          <p>
            {inline(token.tokens, (token as Tokens.Text).text)}
            {end}
          </p>
        );
      case 'heading':
        return (
          <p class="hd" role="heading" aria-level={(token as Tokens.Heading).depth + 2}>
            {inline(token.tokens)}
            {end}
          </p>
        );
      case 'code': {
        const { text: code, lang } = token as Tokens.Code;
        return <Code code={code} language={(lang ?? '').split(/\s/)[0] ?? ''} words={words} insert={insert} />;
      }
      case 'blockquote':
        return <blockquote>{blocks(token.tokens ?? [], end)}</blockquote>;
      case 'hr':
        return <hr />;
      case 'list': {
        const list = token as Tokens.List;
        const items = list.items.map((item, i) => <li key={i}>{tight(item, i === list.items.length - 1 ? end : null)}</li>);
        return list.ordered ? <ol start={list.start === '' ? 1 : list.start}>{items}</ol> : <ul>{items}</ul>;
      }
      case 'table': {
        const { header, rows } = token as Tokens.Table;
        return (
          <div class="tbl">
            <table>
              <thead>
                <tr>{header.map((cell, i) => <th key={i} style={{ textAlign: cell.align ?? 'left' }}>{inline(cell.tokens)}</th>)}</tr>
              </thead>
              <tbody>
                {rows.map((row, r) => (
                  <tr key={r}>{row.map((cell, i) => <td key={i} style={{ textAlign: cell.align ?? 'left' }}>{inline(cell.tokens)}</td>)}</tr>
                ))}
              </tbody>
            </table>
          </div>
        );
      }
      default:
        return (
          <p>
            {token.raw}
            {end}
          </p>
        );
    }
  };

  /** An item's own text stands without a paragraph around it. */
  const tight = (item: Tokens.ListItem, end: ComponentChildren): ComponentChildren =>
    item.tokens.map((token, i) => {
      const last = i === item.tokens.length - 1 ? end : null;
      return (
        <Fragment key={i}>
          {token.type === 'text' ? (
            <>
              {inline(token.tokens, (token as Tokens.Text).text)}
              {last}
            </>
          ) : token.type === 'checkbox' ? (
            inlineOne(token)
          ) : (
            block(token, last)
          )}
        </Fragment>
      );
    });

  const blocks = (tokens: readonly Token[], end: ComponentChildren): ComponentChildren =>
    tokens.map((token, i) => <Fragment key={i}>{block(token, i === tokens.length - 1 ? end : null)}</Fragment>);

  const tokens = lexer(text).filter(token => token.type !== 'space');
  const closed = ['paragraph', 'text', 'heading', 'list', 'blockquote'].includes(tokens[tokens.length - 1]?.type ?? '');
  return (
    <div class="md">
      {blocks(tokens, mark)}
      {!closed && mark}
    </div>
  );
}
