/** What may be wrong with a measurement, and what to do about it. */

/** Every flag with one line for a person: what it means, and what to do. */
export const benchFlags = {
  grouped:
    'runs are short beside the clock, so a sample is the mean of several: percentiles hide the tail of single runs',
  unsettled:
    'warming up ended with its time, not with a steady state: allow more with --seconds, or close other programs',
  'wide-interval':
    'the median is not known to 1 %: allow more time with --seconds, or close other programs',
  settled:
    'the machine drifts, so more time would not narrow the interval of the median: close other programs, fix the clock rate',
  noisy:
    'more than half of the time was disturbed, and some of that had to be kept: measure again on a quieter machine',
  throttled:
    'the core was clocked down for more than a tenth of the time: let it cool, fix the clock rate, plug it in',
  'clock-fault':
    'the wall clock jumped against the processor counter; those windows were discarded: do not trust this machine’s clock',
  'output-mismatch':
    'a timed run left another output than a plain run of the same input: what was timed is not what the model computes, or it draws random numbers',
  'wrong-output':
    'outputs differ from those on the CPU by more than 5 % of the largest: this provider computes the model wrongly; see archwright devices for what is known',
  'caches-by-input':
    'inputs seen before are answered faster than new ones: the latency is that of a cache, not of the model',
  'below-floor': 'faster than this machine can compute or load weights: a fault of the instrument',
  'enqueue-bound':
    'launching takes over 0.8 of the computing time, so the device waits for the processor: batch more, fuse, or capture a graph',
  'h2d-bound':
    'copying inputs to the device takes as long as computing or longer: keep inputs there, or make them smaller',
  'd2h-bound':
    'copying outputs from the device takes as long as computing or longer: keep outputs there, or make them smaller',
  unstable:
    'the computing time varies by more than 2.5 % from run to run: fix the device’s clock rate, or let it be used by nothing else',
} as const;

export type BenchFlag = keyof typeof benchFlags;

/** The flags that are raised, in the order of the table. */
export function raisedFlags(raised: Readonly<Partial<Record<BenchFlag, boolean>>>): BenchFlag[] {
  return (Object.keys(benchFlags) as BenchFlag[]).filter((flag) => raised[flag] === true);
}
