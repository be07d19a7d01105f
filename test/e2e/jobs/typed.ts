export async function typed(value: number): Promise<number> {
  return value;
}
