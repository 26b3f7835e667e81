import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));
/** Newer versions of Node also accept offsets such as `+02:00` as time zones. Those are not names. */
const NAME = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;

/**
 * Returns the name under which Node knows a time zone, if it does. Links such as `Asia/Kolkata` keep their own name.
 */
function findTimezone(name: string): string | undefined {
  if (!NAME.test(name)) {
    return undefined;
  }
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
  } catch (error) {
    if (error instanceof RangeError) {
      return undefined;
    }
    throw error;
  }
}

/** Corrects the case of a time zone's name: `europe/berlin` becomes `Europe/Berlin`. */
export const KnownTimezone = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (findTimezone(value) ?? value) : value));

/** Checks that a text is the IANA name of a time zone that Node knows. */
export const IsTimezone = (): PropertyDecorator =>
  ValidateBy({
    name: 'isTimezone',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && findTimezone(value) !== undefined,
      defaultMessage: () => '$property must be the IANA name of a time zone, such as Europe/Berlin',
    },
  });

/** Checks that a text is the ISO 4217 code of a currency that Node knows. */
export const IsCurrency = (): PropertyDecorator =>
  ValidateBy({
    name: 'isCurrency',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && CURRENCIES.has(value),
      defaultMessage: () => '$property must be an ISO 4217 code in capitals, such as EUR',
    },
  });
