/** What a search tells whoever watches it. Facts of the past of a resumed run are not told again. */
import type { FinishedStage, StageName } from '../evaluate/evaluate.js';
import type { Constraint } from '../trial/objective.js';
import type { CompleteTrial, Trial } from '../trial/trial.js';

export type Phase = 'baselines' | 'search' | 'retest' | 'hidden' | 'export';

export type SearchEvent =
  | {
      readonly kind: 'resumed';
      readonly endedTrials: number;
      readonly elapsedSeconds: number;
    }
  | { readonly kind: 'phase-started'; readonly phase: Phase }
  | { readonly kind: 'constraints-resolved'; readonly constraints: readonly Constraint[] }
  | {
      readonly kind: 'trial-started';
      readonly id: number;
      readonly agent: string;
      readonly operator: string;
      readonly description: string;
    }
  | {
      readonly kind: 'stage-started';
      readonly trial: number;
      readonly stage: StageName;
      readonly round: number;
    }
  | ({
      readonly kind: 'stage-finished';
      readonly trial: number;
      readonly seconds: number;
    } & FinishedStage)
  | {
      readonly kind: 'trial-ended';
      readonly trial: Trial;
      /** The arms' best complete trial in the first objective; absent while there is none. */
      readonly best?: CompleteTrial;
      /** Size of the front over all arms. */
      readonly frontSize: number;
      /** Trials of the arms so far. */
      readonly trials: number;
      readonly elapsedSeconds: number;
      readonly secondsLeft?: number;
      readonly trialsLeft?: number;
    }
  | { readonly kind: 'agent-exhausted'; readonly agent: string; readonly reason: string }
  | {
      readonly kind: 'search-ended';
      readonly reason: 'seconds' | 'trials' | 'exhausted';
    }
  | { readonly kind: 'finished'; readonly front: readonly number[] };
