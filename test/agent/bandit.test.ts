import { createBanditAgent } from '../../src/agent/bandit.js';
import { testAgentContract } from './contract.js';

testAgentContract({
  create: createBanditAgent,
  module: 'agent/bandit.js',
  factory: 'createBanditAgent',
});
