import { loadTensorFlow } from "./peers/tensorflow_api.ts";
const tf = await loadTensorFlow() as any;
function test(n:number,m:number,k:number, ta:boolean, tb:boolean, batch=1){
  const A=Float32Array.from({length:batch*n*k},()=>Math.random()-.5), B=Float32Array.from({length:batch*k*m},()=>Math.random()-.5);
  const a=tf.tensor(A, ta?[batch,k,n]:[batch,n,k]), b=tf.tensor(B, tb?[batch,m,k]:[batch,k,m]);
  const c=tf.matMul(a,b,ta,tb).dataSync(); let worst=0, bad=0, at=-1;
  for(let q=0;q<batch;q++)for(let i=0;i<n;i++)for(let j=0;j<m;j++){let s=0;for(let l=0;l<k;l++)s+=A[q*n*k+(ta?l*n+i:i*k+l)]*B[q*k*m+(tb?j*k+l:l*m+j)]; const e=Math.abs(s-c[q*n*m+i*m+j]); if(e>1e-4){bad++; if(at<0)at=i*m+j;} if(e>worst)worst=e;}
  console.log(n,m,k,ta,tb,batch,"worst",worst,"bad",bad,"first",at);
}
test(64,64,64,false,false); test(64,64,64,false,true); test(64,64,128,true,false); test(256,512,128,false,true); test(512,1024,128,false,true); test(1024,1024,128,true,false); test(128,128,32,false,true,4);
for (const f of ["erf","exp"]) { const x=tf.linspace(-3,3,7); console.log(f, tf[f](x).dataSync()); }
const x=tf.tensor([[1,2,3,4],[5,6,7,8]]); console.log(tf.softmax(x).dataSync(), tf.mean(x,-1,true).dataSync());
