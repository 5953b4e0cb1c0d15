import { createLocalSearchAgent } from '../../src/agent/local-search.js';
import { testAgentContract } from './contract.js';

testAgentContract({
  create: createLocalSearchAgent,
  module: 'agent/local-search.js',
  factory: 'createLocalSearchAgent',
});
