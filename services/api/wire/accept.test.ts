import { describe, expect, it } from 'vitest';
import { AppError } from '#core/errors.ts';
import { negotiate } from './accept.ts';

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const metadata = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const discovery = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

describe('the first entry of Accept that can be served', () => {
  it.each([
    [undefined, 'objects', 'json', 'whole'],
    ['', 'objects', 'json', 'whole'],
    ['*/*', 'objects', 'json', 'whole'],
    ['application/yaml', 'objects', 'yaml', 'whole'],
    [`${table},application/json`, 'objects', 'json', 'table'],
    [`application/json;as=Table;v=v1beta1;g=meta.k8s.io,${table},application/json`, 'objects', 'json', 'table'],
    [`application/json; as=Table; v=v1; g=meta.k8s.io , application/json`, 'objects', 'json', 'table'],
    [
      `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,${metadata},application/json`,
      'objects',
      'json',
      'metadata',
    ],
    ['application/vnd.kubernetes.protobuf,application/json', 'objects', 'json', 'whole'],
    ['application/vnd.kubernetes.protobuf, */*', 'objects', 'json', 'whole'],
    [
      `application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer,${discovery},application/json`,
      'discovery',
      'json',
      'aggregated-discovery',
    ],
    [`${discovery},application/json`, 'objects', 'json', 'whole'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'objects', 'json', 'whole'],
  ] as const)('%s', (header, offer, format, as) => {
    expect(negotiate(header, offer)).toEqual({ format, as });
  });

  it.each(['application/vnd.kubernetes.protobuf', 'text/html', table.replace('Table', 'Chair')])('none: %s is 406', (header) => {
    expect(() => negotiate(header, 'objects')).toThrow(AppError);
  });
});
