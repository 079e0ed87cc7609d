/** Numbers that grow at the end, without copying the whole each time. Knows nothing of what they mean. */

export class Column {
  private buffer: Float64Array;
  length = 0;

  constructor(capacity = 256) {
    this.buffer = new Float64Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.buffer.length) this.grow(this.length + 1);
    this.buffer[this.length++] = value;
  }

  at(index: number): number {
    return index >= 0 && index < this.length ? (this.buffer[index]) : NaN;
  }

  /** Overwrites; the index must exist. */
  set(index: number, value: number): void {
    if (index < this.length) this.buffer[index] = value;
  }

  last(): number {
    return this.at(this.length - 1);
  }

  clear(): void {
    this.length = 0;
  }

  /** The numbers so far; a view that later pushes may leave behind. */
  view(): Float64Array {
    return this.buffer.subarray(0, this.length);
  }

  private grow(least: number): void {
    const next = new Float64Array(Math.max(this.buffer.length * 2, least));
    next.set(this.view());
    this.buffer = next;
  }
}

/** Float64 numbers out of a message's buffer. Copied first: such a buffer need not start at a multiple of eight. */
export function float64(bytes: DataView | null | undefined): Float64Array {
  if (!bytes || bytes.byteLength === 0) return new Float64Array(0);
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return new Float64Array(copy.buffer);
}
