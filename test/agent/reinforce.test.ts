import { createReinforceAgent } from '../../src/agent/reinforce.js';
import { testAgentContract } from './contract.js';

testAgentContract({
  create: createReinforceAgent,
  module: 'agent/reinforce.js',
  factory: 'createReinforceAgent',
});
