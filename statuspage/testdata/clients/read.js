// Reads a page by the client of Statuspage pages from npm, and writes what it got as JSON.
const { Statuspage } = require("statuspage.io");

async function read(url) {
  const client = new Statuspage("asgood");
  client.setApiUrl(url);
  const { api } = client;
  return {
    summary: await api.getSummary(),
    status: await api.getStatus(),
    components: await api.getComponents(),
    incidents: await api.incidents.getAll(),
    unresolved: await api.incidents.getUnresolved(),
    maintenances: await api.scheduledMaintenances.getAll(),
    upcoming: await api.scheduledMaintenances.getUpcoming(),
    active: await api.scheduledMaintenances.getActive(),
  };
}

read(process.argv[2]).then(
  (all) => console.log(JSON.stringify(all)),
  (err) => {
    console.error(err.message);
    process.exit(1);
  },
);
