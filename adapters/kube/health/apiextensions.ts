import { conditionOf, current, failed, inProgress, type Rule } from '#adapters/kube/health/verdict.ts';

const customResourceDefinition: Rule = (object) => {
  const names = conditionOf(object, 'NamesAccepted');
  if (names?.status === 'False') return failed(names.message);
  const established = conditionOf(object, 'Established');
  if (established?.status === 'True') return current('CRD is established');
  if (established?.status === 'False' && established.reason !== 'Installing') return failed(established.message);
  return inProgress('Install in progress');
};

export const apiextensions: Readonly<Record<string, Rule>> = Object.freeze({ CustomResourceDefinition: customResourceDefinition });
