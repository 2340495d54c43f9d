/** Days since 1970-01-01 to year, month and day and back, in the proleptic Gregorian calendar. Years are counted from 1 March inside. */

const DAYS_OF_400_YEARS: i64 = 146_097;
/** From 0000-03-01 to 1970-01-01. */
const DAYS_TO_EPOCH: i64 = 719_468;

export class Calendar {
  /** Days from 1970-01-01 to a date; month 1..12. Months and days beyond their range run on into the next. */
  static days(year: i64, month: i64, day: i64): i64 {
    const y = month <= 2 ? year - 1 : year;
    const era = (y >= 0 ? y : y - 399) / 400;
    const yearOfEra = y - era * 400;
    const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
    return era * DAYS_OF_400_YEARS + dayOfEra - DAYS_TO_EPOCH;
  }

  /** year << 16 | month << 8 | day of a number of days since 1970-01-01. */
  static date(days: i64): i64 {
    const z = days + DAYS_TO_EPOCH;
    const era = (z >= 0 ? z : z - (DAYS_OF_400_YEARS - 1)) / DAYS_OF_400_YEARS;
    const dayOfEra = z - era * DAYS_OF_400_YEARS;
    const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
    const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
    const shifted = (5 * dayOfYear + 2) / 153;
    const day = dayOfYear - (153 * shifted + 2) / 5 + 1;
    const month = shifted < 10 ? shifted + 3 : shifted - 9;
    const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
    return (year << 16) | (month << 8) | day;
  }
}
