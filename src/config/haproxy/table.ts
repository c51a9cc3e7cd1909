/** The one table of HAProxy's words, put together from its families. */
import type { ResolversSection } from './config.ts';
import { type Keyword, KeywordTable } from './keyword.ts';
import { checkKeywords } from './keywords-checks.ts';
import { type GlobalTarget, globalKeywords } from './keywords-global.ts';
import { laterGlobalKeywords, laterProxyKeywords } from './keywords-later.ts';
import { logKeywords } from './keywords-logs.ts';
import { optionKeywords } from './keywords-options.ts';
import { type ProxyTarget, proxyKeywords } from './keywords-proxy.ts';
import { resolversKeywords } from './keywords-resolvers.ts';

export const globalTable = new KeywordTable<GlobalTarget>([
  ...globalKeywords,
  ...(laterGlobalKeywords as readonly Keyword<GlobalTarget>[]),
]);

export const proxyTable = new KeywordTable<ProxyTarget>([
  ...proxyKeywords,
  ...optionKeywords,
  ...logKeywords,
  ...checkKeywords,
  ...(laterProxyKeywords as readonly Keyword<ProxyTarget>[]),
]);

export const resolversTable = new KeywordTable<ResolversSection>(resolversKeywords);
