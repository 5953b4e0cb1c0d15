import { createGreedyAgent } from '../../src/agent/greedy.js';
import { testAgentContract } from './contract.js';

testAgentContract({
  create: createGreedyAgent,
  module: 'agent/greedy.js',
  factory: 'createGreedyAgent',
});
