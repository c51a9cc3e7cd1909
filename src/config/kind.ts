/** Which language a configuration file is written in, told from its words: people name their files as they like. */

export type ConfigurationKind = 'haproxy' | 'keepalived';

const haproxySection =
  /^(global|defaults|frontend|backend|listen|peers|resolvers|mailers|userlist|cache|program|ring|http-errors)\b(?!\s*\{)/;
const keepalivedBlock =
  /^(global_defs|vrrp_[a-z_]+|virtual_server[a-z_]*|static_[a-z]+|bfd_instance|track_group|include)\b|^\$[A-Za-z0-9_]+\s*=|^[@~]/;

/** The kind of the first line that belongs to one of the languages; undefined when there is none. */
export function configurationKind(text: string): ConfigurationKind | undefined {
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
    if (haproxySection.test(line)) return 'haproxy';
    if (keepalivedBlock.test(line)) return 'keepalived';
  }
  return undefined;
}
