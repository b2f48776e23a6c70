/** Exit code of a command that was understood and refused. */
export const EXIT_REFUSED = 2;
