/** What is inside a release, in CycloneDX's form (specification 1.6), for those who must know. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Architecture, nodeBinaries } from './architectures.ts';
import { type LockedPackage, lockedPackages } from './lock.ts';

/** @param commitTime seconds since 1970: the same commit gives the same document. */
export function billOfMaterials(architectures: readonly Architecture[], commitTime: number): object {
  const { name, version, license } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, string>;
  const native = new Set(architectures.map(({ koffiPackage }) => koffiPackage));
  const packages = lockedPackages().filter(({ name, optional }) => !optional || native.has(name));
  const nodes = architectures.map(({ nodePackage }) => ({
    name: nodePackage,
    version: nodeBinaries.version,
    integrity: nodeBinaries.integrity[nodePackage]!,
    license: 'MIT',
    optional: false,
  }));
  const components = [...packages, ...nodes].map(componentOf);
  const own = `pkg:npm/${name}@${version}`;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(components) + own)}`,
    version: 1,
    metadata: {
      timestamp: new Date(commitTime * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': own,
        name,
        version,
        purl: own,
        licenses: [{ license: { id: license } }],
      },
    },
    components,
    dependencies: [{ ref: own, dependsOn: components.map((component) => component['bom-ref']) }],
  };
}

function componentOf({ name, version, integrity, license }: LockedPackage) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    scope: 'required',
    hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') }],
    ...(license === undefined ? {} : { licenses: [{ license: { id: license } }] }),
  };
}

/** A UUID (version 8, RFC 9562 §5.8) made of the text's own sum. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
