/** The prover's process: started by the server for each round of proofs. */
import { runProver } from './oversight/evidence/index.ts';
import { PROOFS } from './proofs.ts';

await runProver(PROOFS);
// Connections may linger; everything that was found is written.
process.exit();
