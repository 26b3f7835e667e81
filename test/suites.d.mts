export type Suite = 'races' | 'scale' | 'processes' | 'packages' | 'browser' | 'proxies' | 'faults' | 'security';
export const SUITES: Record<Suite, { purpose: string; only: string[]; short: string[] }>;
export function isChosen(suite: Suite | 'everyday'): boolean;
