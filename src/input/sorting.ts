/** A field by which a list is sorted; with `-` in front, descending. */
export type Sort<Field extends string> = Field | `-${Field}`;

/** Every way to sort a list by these fields. */
export function sortsOf<Field extends string>(...fields: readonly Field[]): Sort<Field>[] {
  return fields.flatMap((field): Sort<Field>[] => [field, `-${field}`]);
}

/** Which column a list is sorted by, and in which direction. */
export function readSort<Field extends string, Column>(
  sort: Sort<NoInfer<Field>>,
  columns: Readonly<Record<Field, Column>>,
): { column: Column; direction: 'ASC' | 'DESC' } {
  return {
    column: columns[sort.replace(/^-/, '') as Field],
    direction: sort.startsWith('-') ? 'DESC' : 'ASC',
  };
}
