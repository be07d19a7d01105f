/** What one process had at one moment of a soak. */
export interface Sample {
  /** Milliseconds since the soak began. */
  readonly at: number;
  /** Resident bytes. */
  readonly memory: number;
  /** Files, sockets and pipes; those to executors, which come and go, do not count. */
  readonly descriptors: number;
}

/** What one process had while it was warm, and at the end. */
export interface Course {
  readonly name: string;
  readonly samples: number;
  /** The medians of its first and its last third, warming up left out. */
  readonly memory: readonly [first: number, last: number];
  readonly descriptors: readonly [first: number, last: number];
  readonly verdict: 'flat' | 'too young' | 'memory grows' | 'descriptors grow';
}

/** Fewer samples say nothing. */
const least = 9;
/** So much of a process's first samples is warming up: code is compiled, heaps find their size. */
const warmUp = 1 / 4;
/** What memory may move beside a tenth: heaps breathe. */
const breath = 20 << 20;
/** What connections that are just being dialled again may hold. */
const dialling = 4;

/** Whether memory and descriptors of a process stayed where they were. */
export function courseOf(name: string, samples: readonly Sample[]): Course {
  const warm = samples.slice(Math.floor(samples.length * warmUp));
  const third = Math.floor(warm.length / 3);
  const [first, last] = [warm.slice(0, third), warm.slice(warm.length - third)];
  const of = (fact: 'memory' | 'descriptors'): readonly [number, number] => [median(first, fact), median(last, fact)];
  const [memory, descriptors] = [of('memory'), of('descriptors')];
  const verdict =
    samples.length < least
      ? 'too young'
      : memory[1] > memory[0] * 1.1 + breath
        ? 'memory grows'
        : descriptors[1] > descriptors[0] + dialling
          ? 'descriptors grow'
          : 'flat';
  return { name, samples: samples.length, memory, descriptors, verdict };
}

function median(samples: readonly Sample[], fact: 'memory' | 'descriptors'): number {
  const sorted = samples.map((sample) => sample[fact]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
