/** A field to sort a list by; with `-` in front, descending. */
export type Sort<Field extends string> = Field | `-${Field}`;

/** Returns every order by these fields. */
export function sortsOf<Field extends string>(...fields: readonly Field[]): Sort<Field>[] {
  return fields.flatMap((field): Sort<Field>[] => [field, `-${field}`]);
}

/** Returns the column and the direction of an order. */
export function readSort<Field extends string, Column>(
  sort: Sort<NoInfer<Field>>,
  columns: Readonly<Record<Field, Column>>,
): { column: Column; direction: 'ASC' | 'DESC' } {
  return {
    column: columns[sort.replace(/^-/, '') as Field],
    direction: sort.startsWith('-') ? 'DESC' : 'ASC',
  };
}
