import { ClusterError } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import type { Question } from './questions.ts';
import { Questions } from './questions.ts';

/** Questions that write down what becomes of them, of which two may be open. */
function bench(): { questions: Questions<string>; told: string[]; ask(name: string): Question<string> } {
  const questions = new Questions<string>(2);
  const told: string[] = [];
  const ask = (name: string): Question<string> => {
    const question = {
      ask: (id: number) => void told.push(`${name} is ${id}`),
      answered: (answer: string) => void told.push(`${name}: ${answer}`),
      over: ({ code }: ClusterError) => void told.push(`${name}: ${code}`),
    };
    questions.ask(question);
    return question;
  };
  return { questions, told, ask };
}

describe('questions beyond what a node takes', () => {
  it('wait for their turn, in order', () => {
    const { questions, told, ask } = bench();
    for (const name of ['a', 'b', 'c', 'd']) ask(name);
    expect(told).toEqual(['a is 1', 'b is 2']);
    questions.answered(2, 'yes');
    questions.answered(1, 'no');
    expect(told.slice(2)).toEqual(['b: yes', 'c is 3', 'a: no', 'd is 4']);
  });

  it('are not asked when they were given up while they waited', () => {
    const { questions, told, ask } = bench();
    const [, , c] = ['a', 'b', 'c', 'd'].map(ask);
    questions.giveUp(c as Question<string>);
    questions.answered(1, 'yes');
    expect(told.slice(2)).toEqual(['a: yes', 'd is 3']);
  });

  it('wait for the answers of those that were given up as well: to the node these are open', () => {
    const { questions, told, ask } = bench();
    const [a] = ['a', 'b', 'c'].map(ask);
    questions.giveUp(a as Question<string>);
    expect(told).toEqual(['a is 1', 'b is 2']);
    questions.answered(1, 'late');
    questions.answered(1, 'once more');
    expect(told.slice(2)).toEqual(['c is 3']);
  });

  it('end with the session, whether they were asked or not, but for those that were given up', () => {
    const { questions, told, ask } = bench();
    const [a] = ['a', 'b', 'c'].map(ask);
    questions.giveUp(a as Question<string>);
    questions.over(new ClusterError('down', 'gone'));
    questions.answered(2, 'late');
    expect(told.slice(2)).toEqual(['b: down', 'c: down']);
  });
});
