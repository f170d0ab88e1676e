// The vendor's own client: every path that its query builder makes ends in a slash.
import api from '@opendatasoft/api-client';

const { ApiClient, all, date, dateTime, field, fromCatalog, list, string } = api;
const [url, apiKey] = process.argv.slice(2);
const asked = [];
const interceptRequest = async (request) => {
    asked.push(new URL(request.url).pathname);
    return request;
};
const open = new ApiClient({ domain: url, interceptRequest });
const keyed = new ApiClient({ domain: url, apiKey, interceptRequest });
const wrong = new ApiClient({ domain: url, apiKey: 'wrong', interceptRequest });
const capitals = fromCatalog().dataset('world-capitals');

async function refusal(call) {
    try {
        await call;
    } catch (error) {
        return [error.response.status, error.details];
    }
    return null;
}

const records = await open.get(
    capitals
        .records()
        .select(list(field('name'), field('population')))
        .where(all(`${field('population')} > 1000000`, `${field('country_code')} = ${string('FR')}`))
        .orderBy('population desc')
        .limit(5)
);
const paged = await open.get(capitals.records().limit(100).offset((current) => current + 100));
const ids = await open.get(capitals.records().limit(1).set('include_app_metas', 'true'));
const told = {
    datasets: await open.get(fromCatalog().datasets().select('dataset_id').limit(100)),
    itself: (await open.get(capitals.itself())).dataset_id,
    facets: await open.get(fromCatalog().facets().facet('publisher').facet('theme')),
    records,
    offset: paged.results.length,
    record: await open.get(capitals.record(ids.results[0]._id)),
    first: ids.results[0].name,
    refined: (await open.get(capitals.records().refine('country_code:FR').refine('timezone:Europe/Paris'))).total_count,
    excluded: (await open.get(capitals.records().exclude('country_code:FR').limit(0))).total_count,
    groups: await open.get(capitals.records().select('count(*) as n').groupBy('timezone').orderBy('n desc').limit(3)),
    counted: await open.get(capitals.facets().facet('country_code').lang('fr').timezone('Europe/Paris')),
    exported: (await open.get(capitals.export('json').select('name'))).length,
    catalogue: (await open.get(fromCatalog().export('json'))).length,
    times: (
        await open.get(
            fromCatalog()
                .dataset('all-types')
                .records()
                .where(all(`at >= ${dateTime(new Date('2024-03-31T01:30:00.109Z'))}`, `at < ${date({ year: 2024, month: 4 })}`))
                .select('number, at')
                .orderBy('at')
        )
    ).results,
    gated: (await keyed.get(fromCatalog().dataset('gated-loads').records().limit(0))).total_count,
    'wrong key': await refusal(wrong.get(fromCatalog().datasets())),
    unknown: await refusal(open.get(fromCatalog().dataset('nope').records())),
    'no address': await refusal(open.get('catalog/nowhere/')),
    forbidden: await refusal(open.get(fromCatalog().dataset('gated-loads').records())),
    'bad query': await refusal(open.get(capitals.records().where('nope > 1'))),
    asked,
};
console.log(JSON.stringify(told));
