/** A proxy that is measured. One file each; all do the same for a variant, with the configuration a careful operator would write. */
import type { Variant } from '../settings.ts';

export interface Setting {
  readonly variant: Variant;
  /** Where the proxy listens, and where its servers are; all on 127.0.0.1. */
  readonly port: number;
  readonly serverPorts: readonly number[];
  /** UDP port of the log receiver. */
  readonly logPort: number;
  /** A folder for its files. */
  readonly folder: string;
}

export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Peer {
  readonly name: string;
  /** The program that must be there, and how to get it. */
  readonly program: string;
  readonly install: string;
  /** Arguments that make it tell its version. */
  readonly version: readonly string[];
  /** Whether it can do what the variant asks for, as it comes. */
  can(variant: Variant): boolean;
  start(setting: Setting): Start;
}
