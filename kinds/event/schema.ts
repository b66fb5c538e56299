import Type, { type Static } from 'typebox';

const ShortText = Type.String({ maxLength: 253 });
const Time = Type.String({ maxLength: 64, format: 'date-time' });

export const ObjectReference = Type.Object({
  apiVersion: Type.Optional(ShortText),
  kind: Type.Optional(ShortText),
  namespace: Type.Optional(ShortText),
  name: Type.Optional(ShortText),
  uid: Type.Optional(ShortText),
  resourceVersion: Type.Optional(ShortText),
  fieldPath: Type.Optional(Type.String({ maxLength: 1_024 })),
});

/** A message for people about one object; kept for 24 hours. History and audit are elsewhere. */
export type EventBody = Static<typeof EventBody>;
export const EventBody = Type.Object({
  involvedObject: Type.Object(ObjectReference.properties, { description: 'The object that this event is about.' }),
  related: Type.Optional(Type.Object(ObjectReference.properties, { description: 'A second object, for more involved actions.' })),
  reason: Type.Optional(Type.String({ maxLength: 1_024, description: 'Short machine-readable cause.' })),
  message: Type.Optional(Type.String({ maxLength: 20_000, description: 'What happened, for people.' })),
  type: Type.Optional(Type.String({ maxLength: 64, description: 'Normal or Warning.' })),
  action: Type.Optional(Type.String({ maxLength: 128, description: 'What was done.' })),
  count: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'How often it was seen.' })),
  firstTimestamp: Type.Optional(Time),
  lastTimestamp: Type.Optional(Time),
  eventTime: Type.Optional(Time),
  source: Type.Optional(
    Type.Object({ component: Type.Optional(ShortText), host: Type.Optional(ShortText) }, { description: 'Who reports it.' }),
  ),
  reportingComponent: Type.Optional(ShortText),
  reportingInstance: Type.Optional(ShortText),
  series: Type.Optional(
    Type.Object({ count: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647 })), lastObservedTime: Type.Optional(Time) }),
  ),
});
