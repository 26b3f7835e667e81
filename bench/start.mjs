export async function measureStart() {
  return { measured: [], figures: [] };
}
