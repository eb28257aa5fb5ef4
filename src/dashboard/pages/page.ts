import type { ComponentType } from 'preact';
import type { Route } from '../route.ts';

/** A page of the dashboard. */
export interface Page {
  /** The first segment of its address. */
  readonly name: string;
  readonly title: string;
  readonly view: ComponentType<{ readonly route: Route }>;
}
