import { createMctsAgent } from '../../src/agent/mcts.js';
import { testAgentContract } from './contract.js';

testAgentContract({
  create: createMctsAgent,
  module: 'agent/mcts.js',
  factory: 'createMctsAgent',
});
