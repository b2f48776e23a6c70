/**
 * How a column's value is said in JSON: in the state of an event, and in a row as a command reads it. The
 * expressions that use these functions are made in runtime/postgres/json.ts. A value that JSON, or a number of
 * JavaScript, cannot hold exactly is refused (errcode DC005).
 */
import type { MigrationBuilder } from "node-pg-migrate";

export function up(pgm: MigrationBuilder): void {
  pgm.sql(REFUSE_VALUE);
  pgm.sql(NUMBERS);
  pgm.sql(DATES);
  pgm.sql(JSON_VALUES);
  for (const name of FUNCTIONS) pgm.sql(`alter function ${name} owner to monolith_migration`);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`drop function ${[...FUNCTIONS].reverse().join(", ")}`);
}

const FUNCTIONS = [
  "refuse_value(text)",
  "carry_number(smallint)",
  "carry_number(integer)",
  "carry_number(bigint)",
  "carry_number(double precision)",
  "carry_number(numeric)",
  "carry_datetime(timestamptz, integer)",
  "carry_datetime(text, integer)",
  "carry_date(date)",
  "carry_date(text)",
  "carry_json(jsonb, jsonb)",
];

const REFUSE_VALUE = `
  create function refuse_value(reason text) returns jsonb
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  begin
    raise exception 'A value cannot be carried exactly: %', reason
      using errcode = 'DC005', hint = 'docs/fields.md says what each type of column can hold.';
  end $$;
`;

// 9007199254740991 is JavaScript's Number.MAX_SAFE_INTEGER. The functions are plain SQL, which the planner inlines.
const NUMBERS = `
  create function carry_number(value smallint) returns jsonb language sql stable as 'select to_jsonb(value)';
  create function carry_number(value integer) returns jsonb language sql stable as 'select to_jsonb(value)';
  create function carry_number(value bigint) returns jsonb language sql stable as $$
    select case when value not between -9007199254740991 and 9007199254740991
      then public.refuse_value('a whole number of more than 53 bits') else to_jsonb(value) end
  $$;
  create function carry_number(value double precision) returns jsonb language sql stable as $$
    select case when value = 'NaN' or abs(value) > 9007199254740991
      then public.refuse_value('a number that is NaN, infinite or larger than 2^53') else to_jsonb(value) end
  $$;
  create function carry_number(value numeric) returns jsonb language sql stable as $$
    select case when value = 'NaN' or abs(value) > 9007199254740991 or value::float8::text::numeric <> value
      then public.refuse_value('a number of more digits than a double holds') else to_jsonb(value) end
  $$;
`;

// ISO 8601 in UTC: milliseconds as JavaScript writes them, microseconds where there are some, or as many digits as
// the contract asks for ("digits"; -1: no seconds).
const DATES = `
  create function carry_datetime(value timestamptz, digits integer) returns jsonb language sql stable as $$
    select case
      when value not between '0001-01-01Z' and '9999-12-31 23:59:59.999999Z'
        then public.refuse_value('a time outside of the years 1 to 9999')
      when digits is null and extract(microsecond from value)::integer % 1000 <> 0
        then to_jsonb(to_char(value at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
      when digits is null then to_jsonb(to_char(value at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      when date_trunc('minute', value) = value and digits = -1
        then to_jsonb(to_char(value at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'))
      when digits >= 0 and extract(microsecond from value)::integer % (10 ^ (6 - least(digits, 6)))::integer = 0
        then to_jsonb(rtrim(left(to_char(value at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), 20 + digits), '.') || repeat('0', digits - 6) || 'Z')
      else public.refuse_value(format('a time with more digits than the %s of its contract', digits))
    end
  $$;
  create function carry_datetime(value text, digits integer) returns jsonb language sql stable as 'select to_jsonb(value)';
  create function carry_date(value date) returns jsonb language sql stable as $$
    select case when value not between '0001-01-01' and '9999-12-31'
      then public.refuse_value('a date outside of the years 1 to 9999') else to_jsonb(to_char(value, 'YYYY-MM-DD')) end
  $$;
  create function carry_date(value text) returns jsonb language sql stable as 'select to_jsonb(value)';
`;

// Keeps of a jsonb value what its shape (runtime/define/fields.ts) has, at every depth, and refuses another kind of JSON.
// Null passes: a nullable part may be null.
const JSON_VALUES = `
  create function carry_json(value jsonb, shape jsonb) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
  declare
    kind constant text := shape ->> 'kind';
    found_kind constant text := jsonb_typeof(value);
    picked jsonb;
  begin
    if found_kind = 'null' then
      return value;
    elsif found_kind is distinct from (case kind
        when 'text' then 'string' when 'object' then 'object' when 'map' then 'object' when 'variants' then 'object'
        when 'list' then 'array' when 'tuple' then 'array' when 'any' then found_kind when 'scalar' then nullif(nullif(found_kind, 'object'), 'array')
        else kind end) then
      return case when value is not null then public.refuse_value(format('JSON of the kind %s where the contract has %s', found_kind, kind)) end;
    elsif found_kind = 'number' then
      return public.carry_number(value::numeric);
    elsif kind = 'object' then
      if not value ?& array(select jsonb_array_elements_text(shape -> 'required')) then
        return public.refuse_value('JSON without a field that its contract requires');
      end if;
      select jsonb_object_agg(key, public.carry_json(part, shape -> 'fields' -> key)) into picked
        from jsonb_each(value) as parts (key, part) where shape -> 'fields' ? key;
      return coalesce(picked, '{}');
    elsif kind = 'map' or kind = 'any' and found_kind = 'object' then
      if value ?| array['__proto__', 'constructor'] then
        return public.refuse_value('an object with the key "__proto__" or "constructor"');
      end if;
      select jsonb_object_agg(key, public.carry_json(part, case kind when 'any' then shape else shape -> 'of' end)) into picked from jsonb_each(value) as parts (key, part);
      return coalesce(picked, '{}');
    elsif found_kind = 'array' then
      if kind = 'tuple' and (jsonb_array_length(value) < jsonb_array_length(shape -> 'items')
          or shape -> 'of' is null and jsonb_array_length(value) > jsonb_array_length(shape -> 'items')) then
        return public.refuse_value('a list of another length than its contract''s');
      end if;
      select jsonb_agg(public.carry_json(part, case kind when 'any' then shape else coalesce(shape -> 'items' -> (place - 1)::integer, shape -> 'of') end) order by place) into picked
        from jsonb_array_elements(value) with ordinality as parts (part, place);
      return coalesce(picked, '[]');
    elsif kind = 'variants' then
      picked := shape -> 'by' -> (value ->> (shape ->> 'discriminator'));
      if picked is null then
        return public.refuse_value(format('an object whose "%s" is none of its contract''s', shape ->> 'discriminator'));
      end if;
      return public.carry_json(value, picked);
    end if;
    return value;
  end $$;
`;
