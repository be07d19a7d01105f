import { thrown } from './failure.ts';
import { RunningTask } from './running-task.ts';

/** A job with one value. */
export class FunctionTask extends RunningTask {
  begin(): void {
    const { host, job } = this;
    host.inside(this, () => {
      try {
        Promise.resolve(job.run(this.args, this.context)).then(this.#done, this.#threw);
      } catch (error) {
        this.#threw(error);
      }
    });
  }

  /** Only its signal reaches a function: it is over when its promise is. */
  protected unwind(): void {}

  readonly #done = (value: unknown): void => this.conclude('reply', value);
  readonly #threw = (error: unknown): void => this.fail(thrown(error, this.host.codec));
}
