export const DIRECTIONS: Record<string, string[]>;
