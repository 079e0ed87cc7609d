/** Which words two texts do not share: the longest common subsequence of their words. Knows nothing of drawing. */

export interface Run {
  readonly text: string;
  readonly changed: boolean;
}

export interface WordDiff {
  readonly a: readonly Run[];
  readonly b: readonly Run[];
}

const LIMIT = 4_000_000; // cells of the table; past it nothing is marked
const ALIKE = 0.3; // texts that share less are two texts, and marking every word of both says nothing

/** Words, marks and spaces; a Chinese, Japanese or Korean sign is a word. Joined they give the text again. */
function words(text: string): string[] {
  return text.match(/\s+|[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]|(?:(?![\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af])[\p{L}\p{N}_])+|[^\p{L}\p{N}_\s]/gu) ?? [];
}

function runs(tokens: readonly string[], kept: readonly boolean[]): Run[] {
  const out: Run[] = [];
  tokens.forEach((text, i) => {
    const space = text.trim() === '';
    const last = out[out.length - 1];
    // A space between two changed words belongs to the change; one at its edge does not.
    const changed = space ? (last?.changed ?? false) && !kept[i + 1] : !kept[i];
    if (last && last.changed === changed) out[out.length - 1] = { text: last.text + text, changed };
    else out.push({ text, changed });
  });
  return out;
}

/** The two texts cut into runs; `changed` runs are words that the other text does not have at that place. */
export function worddiff(a: string, b: string): WordDiff {
  const x = words(a);
  const y = words(b);
  const keptX = x.map(() => false);
  const keptY = y.map(() => false);
  let start = 0;
  while (start < x.length && start < y.length && x[start] === y[start]) {
    keptX[start] = keptY[start] = true;
    start++;
  }
  let endX = x.length;
  let endY = y.length;
  while (endX > start && endY > start && x[endX - 1] === y[endY - 1]) keptX[--endX] = keptY[--endY] = true;

  const n = endX - start;
  const m = endY - start;
  if (n * m > LIMIT) return plain(a, b);
  if (n && m) {
    const width = m + 1;
    const length = new Uint32Array((n + 1) * width);
    for (let i = n - 1; i >= 0; i--)
      for (let j = m - 1; j >= 0; j--)
        length[i * width + j] =
          x[start + i] === y[start + j]
            ? (length[(i + 1) * width + j + 1]) + 1
            : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    for (let i = 0, j = 0; i < n && j < m; ) {
      if (x[start + i] === y[start + j]) {
        keptX[start + i++] = keptY[start + j++] = true;
      } else if ((length[(i + 1) * width + j]) >= (length[i * width + j + 1])) i++;
      else j++;
    }
  }
  const kept = keptX.filter(Boolean).length;
  if ((2 * kept) / (x.length + y.length || 1) < ALIKE) return plain(a, b);
  return { a: runs(x, keptX), b: runs(y, keptY) };
}

const plain = (a: string, b: string): WordDiff => ({ a: [{ text: a, changed: false }], b: [{ text: b, changed: false }] });
