export const CELLS: number;
export function canonicalCells(): readonly (readonly number[])[];
export function parseCell(text: unknown): readonly number[] | undefined;
