import type { Migration } from 'kysely/migration';
import { first } from './0001-first.ts';
import { imageTags } from './0002-image-tags.ts';
import { imageListing } from './0003-image-listing.ts';

/** Every migration by name, in order. New ones are added at the end; expand first, contract in a later release (fault 44). */
export const migrations: Readonly<Record<string, Migration>> = Object.freeze({
  '0001-first': first,
  '0002-image-tags': imageTags,
  '0003-image-listing': imageListing,
});
