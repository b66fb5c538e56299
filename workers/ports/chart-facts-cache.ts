import { LRUCache } from 'lru-cache';
import type { ChartFacts } from '#core/helm.ts';

/** Facts of chart packages by tenant, digest and version metadata; content addressed, so never stale. */
export type ChartFactsCache = LRUCache<string, ChartFacts>;

const MAX_CHARTS = 5_000;

export function createChartFactsCache(): ChartFactsCache {
  return new LRUCache<string, ChartFacts>({ max: MAX_CHARTS });
}
