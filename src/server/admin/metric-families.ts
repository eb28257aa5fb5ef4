export type Labels = { readonly [name: string]: string };

/** One family of metrics: its name and help, with its values as of this scrape. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly values: { labels: Labels; value: number; metricName?: string }[];
}

/** The families of one scrape, by name, in the order in which they were first set. */
export class Families {
  readonly #byName = new Map<string, Family>();

  get all(): readonly Family[] {
    return [...this.#byName.values()];
  }

  countOf(name: string): number {
    return this.#byName.get(name)?.values.length ?? 0;
  }

  set(
    type: Family['type'],
    name: string,
    help: string,
    value: number | null | undefined,
    labels: Labels = {},
  ): void {
    let family = this.#byName.get(name);
    if (!family) this.#byName.set(name, (family = { name: `pillarbox_${name}`, help, type, values: [] }));
    if (value !== null && value !== undefined) family.values.push({ labels, value });
  }

  gauge(name: string, help: string, value: number | null | undefined, labels?: Labels): void {
    this.set('gauge', name, help, value, labels);
  }

  counter(name: string, help: string, value: number, labels?: Labels): void {
    this.set('counter', name, help, value, labels);
  }

  /** `counts[i]` are the values up to `bounds[i]`; the last count is for values beyond all bounds. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    counts: readonly number[],
    sum: number,
  ): void {
    this.set('histogram', name, help, undefined);
    const values = this.#byName.get(name)?.values;
    let below = 0;
    for (const [at, count] of counts.entries()) {
      below += count;
      const le = at < bounds.length ? String(bounds[at]) : '+Inf';
      values?.push({ labels: { le }, value: below, metricName: `pillarbox_${name}_bucket` });
    }
    values?.push({ labels: {}, value: sum, metricName: `pillarbox_${name}_sum` });
    values?.push({ labels: {}, value: below, metricName: `pillarbox_${name}_count` });
  }
}

/** Milliseconds as seconds, which Prometheus counts in; null if there are none. */
export function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000;
}
