/** Clocks of two machines differ by at most this. */
export const drift = 0.01;
