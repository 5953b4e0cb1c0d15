import { createEnsembleAgent } from '../../src/agent/ensemble.js';
import { testAgentContract } from './contract.js';

testAgentContract({
  create: createEnsembleAgent,
  module: 'agent/ensemble.js',
  factory: 'createEnsembleAgent',
});
