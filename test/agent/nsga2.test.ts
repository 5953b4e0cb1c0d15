import { createNsga2Agent } from '../../src/agent/nsga2.js';
import { testAgentContract } from './contract.js';

testAgentContract({
  create: createNsga2Agent,
  module: 'agent/nsga2.js',
  factory: 'createNsga2Agent',
});
