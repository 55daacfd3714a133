// Lists campaigns over gRPC: `TOKEN=... node build/main.js http://127.0.0.1:9102`.
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { CampaignQueryService } from "./gen/dandelion/campaigns/v1/queries_pb.js";

const transport = createGrpcTransport({ baseUrl: process.argv[2] });
const answer = await createClient(CampaignQueryService, transport).listCampaigns(
  { pageSize: 10 },
  { headers: { authorization: `Bearer ${process.env.TOKEN}` }, timeoutMs: 10_000 },
);
for (const campaign of answer.campaigns) {
  console.log(campaign.brief?.title, campaign.reservedMinor, campaign.brief?.currency);
}
console.log(answer.campaigns.length, "campaigns");
