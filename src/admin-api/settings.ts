/** The settings that a server runs with, in the order of `serve --help`. */
export interface SettingsJson {
  /** The configuration file that was read. */
  readonly file: string | null;
  readonly settings: readonly SettingJson[];
}

/** A setting in force. */
export interface SettingJson {
  readonly name: string;
  /** As a flag would have it: `10s`, `1MiB`. Null: not set; `***`: set, and secret. */
  readonly value: unknown;
  readonly origin: 'flag' | 'environment' | 'file' | 'code' | 'default';
  /** What holds for a setting that is not set, if that is known; otherwise null. */
  readonly inForce: string | null;
  readonly help: string;
}
