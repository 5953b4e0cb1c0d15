import { createIslandsAgent } from '../../src/agent/islands.js';
import { testAgentContract } from './contract.js';

testAgentContract({
  create: createIslandsAgent,
  module: 'agent/islands.js',
  factory: 'createIslandsAgent',
});
