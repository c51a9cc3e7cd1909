/**
 * The second words of families that aren't supported yet, so that `http-request set-heder` is told from `http-request set-header`.
 * As `haproxy -dKall` of version 2.6 lists them, with those of later versions; an argument in parentheses and a counter's number are left out.
 */

const rules = `add-acl add-header allow auth cache-use capture del-acl del-header del-map deny disable-l7-retry do-log do-resolve early-hint normalize-uri
  ot-group pause redirect reject replace-header replace-path replace-pathq replace-uri replace-value return sc-add-gpc sc-inc-gpc sc-set-gpt
  send-spoe-group set-bandwidth-limit set-bc-mark set-bc-tos set-dst set-dst-port set-fc-mark set-fc-tos set-header set-headers-bin set-log-level set-map set-mark
  set-method set-nice set-path set-pathq set-priority-class set-priority-offset set-query set-retries set-src set-src-port set-timeout set-tos
  set-uri set-var set-var-fmt silent-drop strict-mode tarpit track-sc unset-var use-service wait-for-body wait-for-handshake add-headers-bin del-headers-bin`;

const responseRules = `add-acl add-header allow cache-store capture del-acl del-header del-map deny do-log ot-group pause redirect replace-header replace-value
  return sc-add-gpc sc-inc-gpc sc-set-gpt send-spoe-group set-bandwidth-limit set-fc-mark set-fc-tos set-header set-log-level set-map set-mark set-nice set-status
  set-timeout set-tos set-var set-var-fmt silent-drop strict-mode track-sc unset-var wait-for-body`;

export const secondWords: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    'http-request': rules,
    'http-response': responseRules,
    'http-after-response': `add-header allow capture del-acl del-header del-map do-log ot-group replace-header replace-value sc-add-gpc sc-inc-gpc sc-set-gpt
      set-header set-log-level set-map set-status set-var set-var-fmt strict-mode unset-var`,
    'tcp-request': 'connection content inspect-delay session',
    'tcp-response': 'content inspect-delay',
    'tcp-check': 'comment connect expect send send-binary send-binary-lf send-lf set-var set-var-fmt unset-var',
    stats:
      'admin auth enable hide-version http-request realm refresh scope show-desc show-legends show-modules show-node show-version uri',
    compression: 'algo algo-req algo-res direction minsize-req minsize-res offload type type-req type-res',
    capture: 'cookie request response',
    stick: 'match on store-request store-response',
    'email-alert': 'from level mailers myhostname to',
    redirect: 'location prefix scheme',
    filter: 'bwlim-in bwlim-out cache comp-req comp-res compression fcgi-app opentracing spoe trace',
  }).map(([first, words]) => [first, words.split(/\s+/)]),
);

/** The word without what belongs to one use of it: `set-var(txn.a)` → `set-var`, `track-sc0` → `track-sc`, `sc-inc-gpc1(0)` → `sc-inc-gpc`. */
export function bareSecondWord(word: string): string {
  return word.replace(/\(.*$/, '').replace(/^(track-sc|sc-(?:add|inc)-gpc|sc-set-gpt)[0-9]+$/, '$1');
}
