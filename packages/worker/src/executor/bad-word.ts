/** An executor has said what none says that only runs jobs: it cannot be trusted any more, and is ended. */
export class BadWord extends Error {
  override readonly name: string = 'BadWord';
}
