/** Which of so many lanes a key's records go to: always the same one, so that they keep their order. (FNV-1a.) */
export function laneOf(key: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash % lanes;
}
