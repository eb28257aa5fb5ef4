import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/**
 * The first `count` records of the flights data set (npm package vega-datasets), each as JSON text. The id of
 * a record is its index: the data has no ids, and some records are equal.
 */
export async function loadRecords(count: number): Promise<string[]> {
  const file = count <= 2_000 ? 'flights-2k.json' : 'flights-200k.json';
  const path = fileURLToPath(new URL(`../data/${file}`, import.meta.resolve('vega-datasets')));
  const flights = JSON.parse(await readFile(path, 'utf8')) as unknown[];
  if (flights.length < count) throw new Error(`${file} holds ${flights.length} records, not ${count}.`);
  return flights.slice(0, count).map((flight) => JSON.stringify(flight));
}
