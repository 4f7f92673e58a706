/** Where an aligned region lies in an ArrayBuffer. */
export interface Region {
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  readonly bytes: number;
}
