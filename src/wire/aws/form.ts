import { AwsError } from './error.ts';
import { limits } from './limits.ts';

/**
 * The fields of a form, of the query of a URL or of a body of type `application/x-www-form-urlencoded`. Names
 * are split at their dots, so that a field is a leaf of a tree: `Attribute.1.Name` is `Name` below `1` below
 * `Attribute`.
 */
export class Form {
  readonly root: FormNode = {};

  /** Reads `name=value&name=value`. Throws an AwsError. */
  static read(source: Uint8Array | string): Form {
    const form = new Form();
    const text = typeof source === 'string' ? source : decodeText(source);
    let fields = 0;
    for (let at = 0; at < text.length;) {
      let end = text.indexOf('&', at);
      if (end < 0) end = text.length;
      if (end > at) {
        if (++fields > limits.formFieldsMax) throw tooMany();
        const equals = text.indexOf('=', at);
        const nameEnd = equals < 0 || equals > end ? end : equals;
        form.#set(decode(text.slice(at, nameEnd)), decode(text.slice(nameEnd + 1, end)));
      }
      at = end + 1;
    }
    return form;
  }

  /** The value of a field; undefined if the form does not have it. */
  get(name: string): string | undefined {
    return this.root.below?.get(name)?.value;
  }

  #set(name: string, value: string): void {
    let node: FormNode = this.root;
    const parts = name.split('.', limits.formNamePartsMax + 1);
    if (parts.length > limits.formNamePartsMax) return; // no operation has such a field
    for (const part of parts) {
      node.below ??= new Map();
      let next = node.below.get(part);
      if (!next) node.below.set(part, (next = {}));
      node = next;
    }
    node.value = value;
  }
}

/** A field, or what is in front of a dot in names of fields. */
export interface FormNode {
  value?: string;
  below?: Map<string, FormNode>;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AwsError('MalformedInput', 'The form is not UTF-8.', { cause });
  }
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch (cause) {
    throw new AwsError('MalformedInput', 'A field of the form is not encoded as UTF-8 with %XX.', { cause });
  }
}

function tooMany(): AwsError {
  return new AwsError('MalformedInput', `A form may have ${limits.formFieldsMax} fields at most.`);
}
